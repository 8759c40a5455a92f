"""The store in S3: copies of snapshots and of the record that are written once, beside the experiments remote."""
