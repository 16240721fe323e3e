"""The rewards of this package in the shapes that other trainers call: TRL, verl, verifiers, open-instruct.

Each module makes dataset rows that carry the sample along, and the function or class that the trainer wants.
"""
