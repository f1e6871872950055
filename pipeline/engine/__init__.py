"""The embedded OpenSearch: a real node on this machine, without Docker and without a system Java.

Read node_control.py (start, stop, status, clean) first; it uses folders.py (where the files are, and the node's
account), distribution.py (assembling OpenSearch from Maven Central), java.py, node.py (a node's home and
configuration) and process.py. write_file_list.py is for developers.
"""

from lexel.pipeline.engine.node import Node
from lexel.pipeline.engine.node_control import Removed, Status, clean, running, start, status, stop

__all__ = ["Node", "Removed", "Status", "clean", "running", "start", "status", "stop"]
