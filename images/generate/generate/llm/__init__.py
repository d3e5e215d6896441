"""The request engine that every stage which talks to a language model shares; not a stage itself."""
