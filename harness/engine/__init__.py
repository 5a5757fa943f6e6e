"""The only place that talks to a container engine: its daemon, containers, builds, statistics, run profiles."""
