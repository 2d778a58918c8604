// What a bundle has in the place of undici's index: connection pools and `request`, which are all that src/datastore uses. The index
// loads fetch, WebSockets, caches and mocks besides, which would cost every command as much as the runtime's own start.
import request from 'undici/lib/api/api-request.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';

// As undici's index does it.
Dispatcher.prototype.request = request;

export { Pool };
