"""Train a classifier of text quality from judged or reviewed samples."""
