"""What training costs by the size of the data: time and memory of each stage, and how fast they grow.

``make cost`` runs it; it takes about an hour. See `vitrine_export.cost.__main__`.
"""
