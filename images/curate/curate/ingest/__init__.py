"""ingest: files of any format into documents."""
