"""From a run's results to what a person deploys: the measured configuration, in the formats that start containers.

It belongs to the reports: results in, text out, without an engine.
"""
