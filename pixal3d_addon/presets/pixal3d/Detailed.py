# SPDX-License-Identifier: GPL-3.0-or-later
"""As fine as it gets; takes longest, and gives heavy meshes. Run by Blender when the artist chooses the preset."""

import bpy

settings = bpy.context.scene.pixal3d
settings.generation_resolution = "1536"
settings.max_num_tokens = 131072
settings.decimation_target = 1000000
settings.remesh = True
settings.resolution = "4096"
settings.ss_sampling_steps = 50
settings.shape_slat_sampling_steps = 50
settings.tex_slat_sampling_steps = 50
