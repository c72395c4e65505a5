"""The catalogue of a server, read in the background while it answers already."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from disco.app.play import Music, corrected, first_seeds, music_of
from disco.catalogue import Catalogue
from disco.errors import DiscoError
from disco.sources import corrections
from disco.sources.corrections import Correction

log = logging.getLogger(__name__)
# Seconds for which an answer waits for the catalogue.
_PATIENCE = 10.0


class Reading:
    """The catalogue while it is read in the background, and after that.

    Attributes
    ----------
    music : Music or None
        None while it is being read.
    first : tuple of str
        Ids of tracks to begin with.
    error : str
        Why it cannot be read, in a sentence; empty if it can.
    progress : str
        What is done now, in words.
    share : float or None
        How much of that is done, from 0 to 1; None where it is not known.
    """

    share: float | None

    def __init__(self, open_it: Callable[[], Catalogue]) -> None:
        self._open = open_it
        self.music: Music | None = None
        self.first: tuple[str, ...] = ()
        self.error = ""
        self.progress, self.share = "reading the catalogue", None
        self._done, self._lock = threading.Event(), threading.RLock()
        self._corrections = corrections.user_file()
        self._applied = self._stamp()

    def start(self) -> None:
        """Begin to read; the page is served meanwhile, and shows how far it is."""
        threading.Thread(target=self._read, name="catalogue", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the catalogue is read, or failed to be; False if it is still being read."""
        return self._done.wait(seconds)

    def now(self) -> Music:
        """The catalogue, with corrections that other processes have kept meanwhile.

        Raises
        ------
        DiscoError
            While it is being read for longer than a few seconds, and where it cannot be.
        """
        if self.music is None:
            self.wait(_PATIENCE)  # where several processes serve, another may have been ready before
        if self.music is None:
            raise DiscoError(self.error or f"still {self.progress}")
        self._catch_up()
        return self.music

    def correct(self, correction: Correction) -> dict[str, Any]:
        """Answer with a corrected key or tempo, which was kept, from now on."""
        if not self._catch_up():
            with self._lock:
                self.music = corrected(self.now(), [correction])
        return {"kept": True}

    def _catch_up(self) -> bool:
        """Apply the corrections that are kept if there are others than before; whether there are."""
        if self.music is None or self._stamp() == self._applied:
            return False
        with self._lock:
            stamp = self._stamp()
            if stamp is not None and stamp != self._applied:
                self.music = corrected(self.music, corrections.read(self._corrections))
            self._applied = stamp
        return True

    def _stamp(self) -> tuple[int, int] | None:
        """What changes when the corrections do; None without any."""
        try:
            facts = self._corrections.stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_ino

    def _read(self) -> None:
        messages = _Messages(self)
        logging.getLogger("disco").addHandler(messages)
        try:
            catalogue = self._open()
            if not len(catalogue):
                raise DiscoError(f"{catalogue.where} has no tracks; start again with another --catalogue")
            self.progress, self.share = "preparing the search", None
            catalogue.search("a", typing=True)  # the index is there before the first letter is typed
            self.progress, self.share = "learning what belongs together", None
            music = music_of(catalogue)
            self.first = first_seeds(music)
            self.music = music
        except DiscoError as error:
            self.error = str(error)
        except Exception:
            log.exception("the catalogue cannot be read")
            self.error = "the catalogue cannot be read; the terminal says why"
        finally:
            logging.getLogger("disco").removeHandler(messages)
            self._done.set()


class _Messages(logging.Handler):
    """Keeps the last message of progress, and the share that it tells, until another step begins."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(logging.INFO)
        self._reading = reading

    def emit(self, record: logging.LogRecord) -> None:
        self._reading.progress = record.getMessage()[:200]
        if total := getattr(record, "total", 0):
            self._reading.share = record.__dict__["done"] / total
