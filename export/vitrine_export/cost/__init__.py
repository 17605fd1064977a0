"""What training costs by the size of the data: time and memory of each stage, and how fast they grow.

``make cost`` runs it; it takes an hour or two, and goes on where it was stopped. See `vitrine_export.cost.__main__`.
"""
