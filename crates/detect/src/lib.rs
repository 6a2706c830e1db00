//! Detectors over the event stream, findings and the response policy.
