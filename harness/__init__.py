"""The ground floor: the types, the engine, the results folder and the statistics that every room shares."""
