"""What is trained, one file a thing; runs nowhere but in `disco.train` (needs the extra [train])."""
