// A receiver that verifies with npm's standardwebhooks, which nobody here wrote.
// In a folder with `npm install standardwebhooks`: node standard_webhooks.mjs PORT whsec_... [how many]
import http from 'node:http';
import { createRequire } from 'node:module';

const { Webhook } = createRequire(`${process.cwd()}/`)('standardwebhooks');
const [port, secret, most = '1'] = process.argv.slice(2);
const verifier = new Webhook(secret);
let left = Number(most);

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    try {
      const event = verifier.verify(Buffer.concat(parts).toString(), request.headers);
      console.log(`verified ${event.type} ${request.headers['webhook-id']}`);
      response.writeHead(204).end();
      left -= 1;
    } catch (error) {
      console.log(`refused: ${error.message}`);
      response.writeHead(401).end();
    }
    if (left === 0) server.close();
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
