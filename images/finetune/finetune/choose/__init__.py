"""choose: the best of several trainings."""
