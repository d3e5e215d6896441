"""What every part of Nocturne agrees on: records, manifests, configs, the order of stages, failures.

Standard library, pydantic and PyYAML only, so that the scheduler can import it. Start reading at `stages.py`.
"""
