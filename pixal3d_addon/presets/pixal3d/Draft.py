# SPDX-License-Identifier: GPL-3.0-or-later
"""A first look: coarse and quick. Run by Blender when the artist chooses the preset."""

import bpy

settings = bpy.context.scene.pixal3d
settings.generation_resolution = "1024"
settings.max_num_tokens = 49152
settings.decimation_target = 50000
settings.remesh = True
settings.resolution = "1024"
settings.ss_sampling_steps = 12
settings.shape_slat_sampling_steps = 12
settings.tex_slat_sampling_steps = 12
