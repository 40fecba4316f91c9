// Runs smoke.py in Pyodide: node pyodide.mjs FOLDER-OF-PYODIDE WHEEL SMOKE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, wheel, smoke] = process.argv.slice(2);
const { loadPyodide } = createRequire(`${folder}/`)("pyodide");
const pyodide = await loadPyodide();
pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel", { extractDir: "/packages" });
pyodide.FS.writeFile("/packages/smoke.py", readFileSync(smoke));
const program = `
import logging, os, pathlib, sys
sys.path.insert(0, "/packages")
import smoke
folder = pathlib.Path("/logs")
smoke.write(folder)
logging.shutdown()  # what the end of a process does
smoke.check(folder)
`;
try {
  pyodide.runPython(program);
} catch (error) {
  console.error(error.message); // else node prints Pyodide's own source
  process.exit(1);
}
