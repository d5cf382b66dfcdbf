// Asks with exotel 1.0.1. Arguments: base URL, account sid, token. Prints what it was told.
// The client sends the account's sid as the key, and has Exotel's host in it.
'use strict';

const http = require('http');
const https = require('https');

const [base, sid, token] = process.argv.slice(2);
const { hostname, port } = new URL(base);
// What goes to Exotel's host goes to the service instead; all else of the request stays as it is.
https.request = (options, callback) => {
  const to = { protocol: 'http:', host: hostname, hostname, port, agent: new http.Agent() };
  return http.request({ ...options, ...to }, callback);
};
const exotel = require('exotel');

const told = (token, id) => new Promise((resolve) => {
  exotel({ id: sid, token }).checkSMS(id, (error, message) => {
    resolve(error ? error.message : message === undefined ? 'nothing' : message);
  });
});

(async () => {
  const answers = {
    message: await told(token, 's1'),
    unknown: await told(token, 'nobody'),
    wrong_token: await told('wrong', 's1'),
    bad_path: await told(token, 's1/more'),
  };
  for (let n = 0; n < 50 && typeof answers.throttled !== 'string'; n += 1) {
    answers.throttled = await told(token, 's1');
  }
  console.log(JSON.stringify(answers));
})();
