# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools for building, showing and measuring the add-on; never part of the installed add-on."""
