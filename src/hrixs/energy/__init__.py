"""The energy axis: lines and their widths, calibration, energy loss, drift."""
