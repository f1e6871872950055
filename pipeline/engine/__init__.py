"""The embedded OpenSearch: a real node on this machine, without Docker and without a system Java."""

from lexel.pipeline.engine.node import Node
from lexel.pipeline.engine.node_control import Removed, Status, clean, running, start, status, stop

__all__ = ["Node", "Removed", "Status", "clean", "running", "start", "status", "stop"]
