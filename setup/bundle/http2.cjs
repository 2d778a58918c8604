// What a bundle has in the place of undici's HTTP/2: the same, loaded when a server first speaks it, because node:http2 brings
// all of node:tls along.
module.exports = (...parameters) => require('undici/lib/dispatcher/client-h2.js')(...parameters);
