"""Split without leaks, write the formats people load, move `latest`."""
