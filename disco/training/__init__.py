"""What is trained, one file a thing; runs nowhere but in `disco.cli.train` (needs the extra [train])."""
