// SPDX-License-Identifier: GPL-3.0-or-later
// Prints the report of the Khronos validator on the GLB file that is named, as JSON.
const fs = require("fs");
const path = require("path");
const [modules, file] = process.argv.slice(2);
const validator = require(path.join(modules, "gltf-validator"));
validator
    .validateBytes(new Uint8Array(fs.readFileSync(file)), { uri: path.basename(file), maxIssues: 100 })
    .then((report) => console.log(JSON.stringify(report)));
