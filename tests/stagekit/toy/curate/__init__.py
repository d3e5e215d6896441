"""A stand-in for an image's package: two stages that do as little as a stage can, for tests of the kit around them."""
