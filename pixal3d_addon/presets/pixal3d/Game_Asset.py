# SPDX-License-Identifier: GPL-3.0-or-later
"""A light mesh with a 2048 px texture. Run by Blender when the artist chooses the preset."""

import bpy

settings = bpy.context.scene.pixal3d
settings.generation_resolution = "1536"
settings.max_num_tokens = 49152
settings.decimation_target = 10000
settings.remesh = True
settings.resolution = "2048"
settings.ss_sampling_steps = 36
settings.shape_slat_sampling_steps = 36
settings.tex_slat_sampling_steps = 36
