"""The web page: play with the knobs, and see and read how the playlist changes.

    server     what starts: the page, its answers and the JSON API, behind checks of host, origin and password
    processes  several of them, forked from one that has read the catalogue
    page_files the page as Dash makes it of its `layout`, kept in the cache
    layout     the parts of the page
    answers    what the page asks for while it is used: a playlist, a search, an upload, a file
    state      what a person has set on the page, as the address holds it
    listing    a playlist as the page shows it
    assets     style and script of the page; the browser holds the state, the server none between calls

The page has no logic of its own: each answer is a call of the library's functions.
"""
