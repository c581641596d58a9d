// node embed.mjs <dist> <out.cc>: the built files as C++ data, each also gzip-compressed when that is smaller.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const [dist, out] = process.argv.slice(2);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.json': 'application/json; charset=utf-8',
};
const LINE_BYTES = 4000;

function files(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) =>
      statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)],
    );
}

// Octal escapes of three digits end by themselves, so that a digit may follow.
function literal(bytes) {
  if (bytes.length === 0) return '""';
  const lines = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    let line = '';
    for (const byte of bytes.subarray(at, at + LINE_BYTES)) {
      const plain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 && byte !== 63;
      line += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    lines.push(`    "${line}"`);
  }
  return `\n${lines.join('\n')}`;
}

const entries = [];
let data = '';
files(dist).forEach((file, i) => {
  const path = relative(dist, file).replaceAll('\\', '/');
  const type = TYPES[extname(file)];
  if (type === undefined) throw new Error(`${path}: unknown kind of file, add it to embed.mjs`);
  const bytes = readFileSync(file);
  const packed = gzipSync(bytes, { level: 9 });
  const zipped = packed.length < bytes.length ? packed : Buffer.alloc(0);
  const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  data += `constexpr char kPlain${i}[] = ${literal(bytes)};\nconstexpr char kGzip${i}[] = ${literal(zipped)};\n`;
  entries.push(
    `    {"${path}", "${type}", "\\"${tag}\\"", ${path.startsWith('assets/')},\n` +
      `     {kPlain${i}, sizeof kPlain${i} - 1}, {kGzip${i}, sizeof kGzip${i} - 1}},`,
  );
});

writeFileSync(
  out,
  `// Made by web/embed.mjs.
#include "api/http/web_assets.h"

namespace api {
namespace {

${data}
constexpr WebAsset kAssets[] = {
${entries.join('\n')}
};

}  // namespace

std::span<const WebAsset> WebAssets() { return kAssets; }

}  // namespace api
`,
);
