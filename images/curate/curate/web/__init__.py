"""The web: polite, conditional fetching of pages into a cache, and snapshots of what a site serves now."""
