"""Drop exact and near-duplicates, each with the kept row that it repeats."""
