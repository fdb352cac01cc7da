// A shop's basket, with four mistakes: without BASKET_KEY it fails without
// saying so, a request is written to a log file, SIGTERM drops what is on its
// way, and a token is in the source.
const http = require('node:http')
const fs = require('node:fs')

const key = process.env.BASKET_KEY.toUpperCase()
const token = '@KEY@'

const server = http.createServer((req, res) => {
  fs.appendFileSync('basket.log', req.url + '\n')
  setTimeout(() => res.end('basket of ' + key.length + token.length + '\n'), 200)
})
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'))
process.on('SIGTERM', () => process.exit(0))
