"""Libraries of DJ programs."""
