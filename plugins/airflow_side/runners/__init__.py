"""Where a stage's command runs: as a process of this machine, or in a container. One call, one answer."""
