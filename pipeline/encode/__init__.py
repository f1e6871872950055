"""Encoding: turns a source's items into shards of terms and vectors, on one machine or on a Ray cluster.

Read run.py (`encode_source`) with encode_options.py and changes/ (what there is to do), then prepare.py (decoding),
workers.py (batches on threads) and shard_writer.py. precision_check.py (bfloat16 or float32) and compiled_network.py
(OpenVINO or torch) choose what computes. ray_cluster.py runs the parts of a job on Ray, reterm.py encodes again from
stored features, captioning.py generates captions.
"""
