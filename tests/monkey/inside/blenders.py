# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does in Blender, that has nothing to do with us and may come at any moment."""

from __future__ import annotations

from typing import Any

import bpy

from tests.gui.driver import STEP_SECONDS, Steps
from tests.monkey.inside.hands import Hands, NotNow, action, op

FILES = ("a.blend", "b.blend", "c.blend")
MODES = ("EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT", "TEXTURE_PAINT", "POSE")
EDITORS = ("IMAGE_EDITOR", "UV", "ShaderNodeTree", "CompositorNodeTree", "GeometryNodeTree", "OUTLINER", "PROPERTIES")
EDITORS += ("CONSOLE", "INFO", "TEXT_EDITOR", "DOPESHEET", "FCURVES", "NLA_EDITOR", "SEQUENCE_EDITOR", "CLIP_EDITOR")
EDITORS += ("SPREADSHEET", "FILES", "ASSETS", "PREFERENCES", "VIEW_3D")
KEYS = ("TAB", "A", "G", "R", "S", "H", "N", "T", "X", "Z", "SPACE", "ESC", "RET", "NUMPAD_0", "NUMPAD_PERIOD", "HOME")
KEYS += ("SLASH", "RIGHTMOUSE", "F9", "ACCENT_GRAVE", "Q", "M", "P", "I", "DEL", "ONE", "COMMA")
"""Not F3: with Return after it any operator may follow, Quit among them."""
MOST_OBJECTS = 60
"""A scene that only grows would make each undo step of the rest slower."""
MOST_SCENES, MOST_WINDOWS = 4, 3


# Undo, redo, modes.


@action(30)
def undo(hands: Hands) -> None:
    with hands.view():
        op("ed.undo")


@action(15)
def redo(hands: Hands) -> None:
    with hands.view():
        op("ed.redo")


@action(4)
def undo_by_key(hands: Hands) -> Steps:
    yield from _over_the_view(hands)
    yield from hands.driver.key("Z", ctrl=True, shift=hands.chance(0.3))


@action(3)
def undo_far(hands: Hands) -> None:
    with hands.view():
        for _ in range(2 + int(hands.dice.random() * 8)):
            op("ed.undo" if hands.chance(0.7) else "ed.redo")


@action(5)
def adjust_last_operation(hands: Hands) -> None:
    """As a change in its panel does: undone, and done once more."""
    with hands.view():
        op("ed.undo_redo")


@action(12)
def set_mode(hands: Hands) -> None:
    with hands.view():
        op("object.mode_set", mode=hands.one(MODES))


@action(20)
def object_mode(hands: Hands) -> None:
    with hands.view():
        op("object.mode_set", mode="OBJECT")


@action(4)
def edit_mesh(hands: Hands) -> None:
    with hands.view():
        if bpy.context.mode != "EDIT_MESH":
            raise NotNow
        op("mesh.select_all", action="SELECT")
        op(hands.one(("mesh.subdivide", "mesh.flip_normals", "mesh.duplicate")))


# Objects.


@action(14)
def select(hands: Hands) -> None:
    chosen = hands.object()
    with hands.view():
        for obj in hands.objects():
            obj.select_set(False)
        for obj in [chosen, *hands.some(hands.objects(), 3)]:
            obj.select_set(True)
        bpy.context.view_layer.objects.active = chosen
        bpy.ops.ed.undo_push(message="Select")


@action(14)
def delete(hands: Hands) -> None:
    with hands.view():
        op("object.delete", use_global=hands.chance(0.3))


@action(8)
def duplicate(hands: Hands) -> None:
    if len(bpy.data.objects) > MOST_OBJECTS:
        op("object.delete")
    with hands.view():
        op("object.duplicate", linked=hands.chance(0.5))


@action(10)
def add_something(hands: Hands) -> None:
    if len(bpy.data.objects) > MOST_OBJECTS:
        raise NotNow
    kinds = ("mesh.primitive_cube_add", "object.empty_add", "object.armature_add", "object.camera_add")
    with hands.view():
        op(hands.one((*kinds, "object.light_add", "curve.primitive_bezier_circle_add", "object.text_add")))


@action(6)
def transform(hands: Hands) -> None:
    with hands.view():
        op("transform.translate", value=(hands.dice.random(), 0.0, 1.0))


@action(6)
def drag_with_the_mouse(hands: Hands) -> Steps:
    """Move, unfinished for a while, and then confirmed, canceled or forgotten."""
    yield from _over_the_view(hands)
    yield from hands.driver.key("G")
    x, y = hands.driver._mouse
    yield from hands.driver.move(x + 40, y + 20)
    yield hands.dice.random()
    yield from hands.driver.key(hands.one(("LEFTMOUSE", "ESC", "RET")))


@action(5)
def parent(hands: Hands) -> None:
    with hands.view():
        op(hands.one(("object.parent_set", "object.parent_clear", "object.track_set", "object.constraint_add")))


@action(4)
def rename(hands: Hands) -> None:
    """Names clash: Blender adds a number to the newer one."""
    names = [other.name for other in hands.objects()]
    with hands.change("Rename"):
        hands.object().name = hands.one([*names, "Cube", "x" * 200, "Ünï çødé 名前", ""])


@action(3)
def join_or_separate(hands: Hands) -> None:
    with hands.view():
        op(hands.one(("object.join", "object.make_single_user", "object.convert", "object.shade_flat")))


@action(4)
def hide(hands: Hands) -> None:
    with hands.view():
        op(hands.one(("object.hide_view_set", "object.hide_view_clear")))


@action(3)
def keyframe(hands: Hands) -> None:
    with hands.change("Keyframe"):
        hands.object().keyframe_insert("location", frame=hands.one((1, 5, 10)))


@action(3)
def garbage_on_an_object(hands: Hands) -> None:
    """Custom properties of ours, as another version or another program may have left them."""
    values: tuple[Any, ...] = (
        "",
        "x" * 5000,
        7,
        1.5,
        True,
        [1, 2, 3],
        {},
        {"generation": 3},
        {"generation": [1.0, 2.0]},
    )
    values += ({"group": {"a": 1}, "generation": "ffff", "parameters": "none", "seed": "many"},)
    key = hands.one(("pixal3d", "pixal3d_part", "pixal3d_placeholder"))
    with hands.change("Custom Property"):
        hands.object()[key] = hands.one(values)


# Data.


@action(5)
def remove_image(hands: Hands) -> None:
    with hands.change("Remove Image"):
        bpy.data.images.remove(hands.one(_named(bpy.data.images)))


@action(4)
def remove_data(hands: Hands) -> None:
    kinds = ("meshes", "materials", "worlds", "cameras", "lights", "node_groups", "actions", "armatures")
    blocks: Any = getattr(bpy.data, hands.one(kinds))
    with hands.view():
        if bpy.context.mode != "OBJECT":  # Blender has no guard for data that is being edited
            raise NotNow
        with hands.change("Remove Data"):
            blocks.remove(hands.one(_named(blocks)))


@action(2)
def remove_object_data_block(hands: Hands) -> None:
    with hands.view():
        if bpy.context.mode != "OBJECT":
            raise NotNow
        with hands.change("Remove Object"):
            bpy.data.objects.remove(hands.one(_named(bpy.data.objects)))


@action(3)
def purge(hands: Hands) -> None:
    with hands.view():
        op("outliner.orphans_purge", do_recursive=True)


@action(3)
def pack_or_reload(hands: Hands) -> None:
    image = hands.one(_named(bpy.data.images))
    if image.type != "IMAGE":
        raise NotNow
    with hands.change("Image"):
        if hands.chance(0.5):
            image.reload()
        elif image.has_data:
            image.pack()


# Collections, scenes, layers.


@action(4)
def new_collection(hands: Hands) -> None:
    scene = hands.driver.window.scene
    if not scene.is_editable:
        raise NotNow
    with hands.change("New Collection"):
        scene.collection.children.link(bpy.data.collections.new(hands.one(("Props", "Scene Collection", "Collection"))))


@action(4)
def remove_collection(hands: Hands) -> None:
    with hands.change("Remove Collection"):
        bpy.data.collections.remove(hands.one(_named(bpy.data.collections)))


@action(5)
def exclude_collection(hands: Hands) -> None:
    layer = hands.one(hands.driver.window.view_layer.layer_collection.children[:])
    with hands.change("Exclude"):
        layer.exclude = not layer.exclude


@action(5)
def activate_collection(hands: Hands) -> None:
    view_layer = hands.driver.window.view_layer
    chosen = hands.one([view_layer.layer_collection, *view_layer.layer_collection.children])
    with hands.change("Activate Collection"):
        view_layer.active_layer_collection = chosen


@action(4)
def new_scene(hands: Hands) -> None:
    if len(bpy.data.scenes) >= MOST_SCENES:
        raise NotNow
    with hands.view():
        op("scene.new", type=hands.one(("NEW", "EMPTY", "LINK_COPY", "FULL_COPY")))


@action(3)
def remove_scene(hands: Hands) -> None:
    with hands.view():
        op("scene.delete")


@action(5)
def switch_scene(hands: Hands) -> None:
    scenes = _named(bpy.data.scenes)
    if hands.chance(0.7):  # in one that is linked, little can be done
        scenes = [scene for scene in scenes if scene.is_editable]
    with hands.change("Scene"):
        hands.window().scene = hands.one(scenes)


@action(2)
def view_layer(hands: Hands) -> None:
    with hands.view():
        op(hands.one(("scene.view_layer_add", "scene.view_layer_remove")))


@action(1)
def units(hands: Hands) -> None:
    scene = hands.driver.window.scene
    if scene.is_editable:
        with hands.change("Units"):
            scene.unit_settings.scale_length = hands.one((1.0, 0.01, 100.0))


# Files.


@action(6)
def open_file(hands: Hands) -> Steps:
    with bpy.context.temp_override(window=hands.driver.window):
        bpy.ops.wm.open_mainfile(filepath=str(hands.folder / hands.one(FILES)))
    yield 2 * STEP_SECONDS


@action(5)
def save_as(hands: Hands) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(hands.folder / hands.one(FILES)), copy=hands.chance(0.2))


@action(5)
def save(hands: Hands) -> None:
    if not bpy.data.filepath:
        raise NotNow
    bpy.ops.wm.save_mainfile()


@action(2)
def new_file(hands: Hands) -> Steps:
    with bpy.context.temp_override(window=hands.driver.window):
        bpy.ops.wm.read_homefile(use_empty=hands.chance(0.2))
    yield 2 * STEP_SECONDS


@action(2)
def revert(hands: Hands) -> Steps:
    with bpy.context.temp_override(window=hands.driver.window):
        op("wm.revert_mainfile")
    yield 2 * STEP_SECONDS


@action(1)
def recover_last_session(hands: Hands) -> Steps:
    with bpy.context.temp_override(window=hands.driver.window):
        op("wm.recover_last_session", use_scripts=False)
    yield 2 * STEP_SECONDS


@action(4)
def link_or_append(hands: Hands) -> None:
    """Models and placeholders of ours among them."""
    path = hands.folder / hands.one(FILES)
    if str(path) == bpy.data.filepath or len(bpy.data.objects) > MOST_OBJECTS:
        raise NotNow
    kind = hands.one(("objects", "collections", "scenes"))
    with hands.change("Link"):
        loading: Any = bpy.data.libraries.load(str(path), link=hands.chance(0.6))
        with loading as (found, wanted):
            names = sorted(getattr(found, kind))
            setattr(wanted, kind, [hands.one(names)])
        block, scene = getattr(wanted, kind)[0], hands.driver.window.scene
        if block is None or not scene.is_editable:
            raise NotNow
        if kind == "objects":
            scene.collection.objects.link(block)
        elif kind == "collections":
            scene.collection.children.link(block)


@action(3)
def override_or_make_local(hands: Hands) -> None:
    with hands.view():
        op(hands.one(("object.make_override_library", "object.make_local", "object.duplicates_make_real")))


# Windows and editors.


@action(3)
def new_window(hands: Hands) -> Steps:
    if len(bpy.context.window_manager.windows) >= MOST_WINDOWS:
        raise NotNow
    with hands.view():
        op(hands.one(("wm.window_new", "wm.window_new_main")))
    yield 2 * STEP_SECONDS


@action(4)
def close_window(hands: Hands) -> Steps:
    if len(bpy.context.window_manager.windows) < 2:
        raise NotNow
    with bpy.context.temp_override(window=hands.window()):
        op("wm.window_close")
    yield STEP_SECONDS


@action(5)
def switch_workspace(hands: Hands) -> Steps:
    hands.driver.window.workspace = hands.one(_named(bpy.data.workspaces))
    yield 3 * STEP_SECONDS
    _show_sidebars(hands)


@action(10)
def switch_editor(hands: Hands) -> Steps:
    """Under whatever popup is open; one 3D View stays."""
    areas = hands.driver.window.screen.areas[:]
    views = [area for area in areas if area.type == "VIEW_3D"]
    area = hands.one([area for area in areas if len(views) > 1 or area not in views])
    area.ui_type = hands.one(EDITORS)
    yield STEP_SECONDS
    _show_sidebars(hands)


@action(2)
def split_area(hands: Hands) -> None:
    if len(hands.driver.window.screen.areas) > 7:
        raise NotNow
    with hands.view():
        op("screen.area_split", direction=hands.one(("VERTICAL", "HORIZONTAL")), factor=0.5)


@action(3)
def full_screen(hands: Hands) -> Steps:
    with hands.view():
        op("screen.screen_full_area", use_hide_panels=hands.chance(0.3))
    yield 2 * STEP_SECONDS


@action(3)
def view_settings(hands: Hands) -> None:
    with hands.view() as area:
        if hands.chance(0.4):
            area.spaces.active.shading.type = hands.one(("SOLID", "WIREFRAME", "MATERIAL"))
        else:
            op(hands.one(("view3d.localview", "screen.region_quadview", "view3d.view_all", "view3d.view_selected")))


@action(24)
def show_our_tab(hands: Hands) -> Steps:
    _show_sidebars(hands)
    yield STEP_SECONDS


# Time and pictures.


@action(4)
def play_animation(hands: Hands) -> None:
    with hands.view():
        op("screen.animation_play")


@action(3)
def set_frame(hands: Hands) -> None:
    hands.driver.window.scene.frame_set(hands.one((1, 5, 10, 250)))


@action(4)
def render(hands: Hands) -> Steps:
    scene = hands.driver.window.scene
    if not scene.is_editable or scene.camera is None or bpy.app.is_job_running("RENDER"):
        raise NotNow
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 32, 16, 100
    scene.frame_end = scene.frame_start + 3
    bpy.context.preferences.view.render_display_type = hands.one(("NONE", "AREA"))
    with hands.view():
        op("render.render", "INVOKE_DEFAULT", animation=False, use_viewport=False)
    yield STEP_SECONDS


@action(2)
def frame_handler(hands: Hands) -> None:
    """Somebody else's, as an add-on or a rig has it: it changes the scene under our hands."""
    handlers = bpy.app.handlers.frame_change_post
    if _on_frame in handlers:
        handlers.remove(_on_frame)
    else:
        handlers.append(_on_frame)


def _on_frame(scene: Any, *_: Any) -> None:
    for obj in scene.objects[:2]:
        obj.location.x += 0.01


# The mouse and the keyboard.


@action(10)
def any_key(hands: Hands) -> Steps:
    yield from _over_the_view(hands)
    yield from hands.driver.key(hands.one(KEYS), shift=hands.chance(0.15), alt=hands.chance(0.1))


@action(6)
def any_click(hands: Hands) -> Steps:
    window = hands.driver.window
    x, y = hands.dice.random() * (window.width - 20), hands.dice.random() * (window.height - 60)
    yield from hands.driver.click(10 + x, 10 + y, hands.one(("LEFTMOUSE", "LEFTMOUSE", "RIGHTMOUSE")))


@action(14)
def escape(hands: Hands) -> Steps:
    yield from hands.driver.key("ESC")


@action(6)
def confirm(hands: Hands) -> Steps:
    """A dialog that is open is agreed to; else nothing happens."""
    yield from hands.driver.key("RET")


@action(12)
def rest(hands: Hands) -> Steps:
    """For what is under way to arrive."""
    yield 0.3 + hands.dice.random()


def _over_the_view(hands: Hands) -> Steps:
    areas = [area for area in hands.driver.window.screen.areas if area.type == "VIEW_3D"]
    area = hands.one(areas)
    yield from hands.driver.move(area.x + area.width // 3, area.y + area.height // 3)


def _show_sidebars(hands: Hands) -> None:
    for area in hands.driver.window.screen.areas:
        space: Any = area.spaces.active
        if area.type in {"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"}:
            space.show_region_ui = True
            for region in area.regions:
                if region.type == "UI" and region.width > 1:
                    try:
                        region.active_panel_category = "Pixal3D"
                    except (TypeError, AttributeError):  # no such tab here just now, or no tabs at all yet
                        pass


def _named(blocks: Any) -> list[Any]:
    return sorted(blocks, key=lambda block: str(block.name_full))
