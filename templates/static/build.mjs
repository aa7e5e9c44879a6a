// Bundles src/ into dist/, which is committed, so that a Go build needs no
// Node. With --check it rebuilds in memory and fails if dist/ differs.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

const entries = [
  "client.ts",
  "worker.ts",
  "client.css",
  "desk.ts",
  "desk.css",
  "demo.ts",
  "demo.css",
];
// Served as they are.
const copies = ["icon.svg"];

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const dist = join(here, "dist");

// bundle gives the files of dist/ by name, without their Brotli forms.
async function bundle() {
  const files = new Map();
  for (const entry of entries.filter((name) => existsSync(join(source, name)))) {
    const result = await build({
      entryPoints: [join(source, entry)],
      outfile: join(dist, entry.replace(/\.ts$/, ".js")),
      bundle: true,
      minify: true,
      write: false,
      // Android 7 stops at Chrome 119; these also serve iOS 14. Styles need it
      // by name: four sides would become one "inset", which that does not know.
      target: entry.endsWith(".css") ? ["ios14", "chrome80"] : ["es2020"],
      format: "iife",
      charset: "utf8",
      legalComments: "none",
      logLevel: "warning",
      external: ["/static/*"],
    });
    for (const file of result.outputFiles) {
      files.set(file.path.slice(dist.length + 1), Buffer.from(file.contents));
    }
  }
  for (const name of copies.filter((name) => existsSync(join(source, name)))) {
    files.set(name, readFileSync(join(source, name)));
  }
  return files;
}

function compress(content) {
  return brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

function write(files) {
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) {
    if (!files.has(name.replace(/\.br$/, ""))) rmSync(join(dist, name));
  }
  for (const [name, content] of files) {
    const compressed = compress(content);
    writeFileSync(join(dist, name), content);
    writeFileSync(join(dist, `${name}.br`), compressed);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
    console.log(`${name}  ${content.length} B, brotli ${compressed.length} B, ${hash}`);
  }
}

// check compares decompressed content: another zlib may compress otherwise.
function check(files) {
  const faults = [];
  const expected = new Set([...files.keys()].flatMap((name) => [name, `${name}.br`]));
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    if (!expected.has(name)) faults.push(`${name} has no source`);
  }
  for (const [name, content] of files) {
    const path = join(dist, name);
    if (!existsSync(path) || !readFileSync(path).equals(content)) faults.push(`${name} is not current`);
    const packed = `${path}.br`;
    if (!existsSync(packed) || !brotliDecompressSync(readFileSync(packed)).equals(content)) {
      faults.push(`${name}.br is not current`);
    }
  }
  for (const fault of faults) console.error(`dist/${fault}; run: npm ci --ignore-scripts && node build.mjs`);
  return faults.length === 0;
}

const files = await bundle();
if (process.argv.includes("--check")) {
  process.exitCode = check(files) ? 0 : 1;
} else {
  write(files);
}
