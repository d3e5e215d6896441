"""What every stage runs on: stores, datasets, shards, ledger, and the one entry point. Import rules: contract only."""
