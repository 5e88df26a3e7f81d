"""`make bench`: Setia measured against raw SQL that does the same row work in the same run.

The machine decides the absolute figures, so only ratios of interleaved rounds are worth comparing.
"""
