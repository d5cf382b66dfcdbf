// A plain Express handler with one INSERT per request, as one would write it where speed matters:
// a cluster of two processes, one per core of a small machine.
'use strict'

const cluster = require('node:cluster')
const { readFileSync } = require('node:fs')
const path = require('node:path')

if (cluster.isPrimary) {
  cluster.fork()
  cluster.fork()
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill()
    process.exit(0)
  })
} else {
  serve()
}

function serve () {
  const express = require('express')
  const { Pool } = require('pg')
  const beside = (name) => readFileSync(path.join(__dirname, '..', name), 'utf8')
  const text = beside('record.sql')
  const codes = JSON.parse(beside('codes.json'))
  // Per process. Of 2 to 24 connections 8 were best on two cores, if not by much; POOL tries others.
  const max = Number(process.env.POOL || 8)
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max, idleTimeoutMillis: 0 })

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag') // a digest of each answer, for caches that a POST does not have
  app.post('/callbacks', express.urlencoded({ extended: false }), async (request, response) => {
    const fields = request.body
    const { SmsSid: sid, To: to, DetailedStatusCode: code } = fields
    const meaning = codes[code]
    const values = [
      sid, fields.DateSent, Number(code), Number(fields.SmsUnits),
      meaning.evidence, meaning.status, fields.DetailedStatus, meaning.outcome, meaning.category, meaning.retry,
      meaning.confirmed_by, '+91' + to.replace(/^0+/, ''), to, fields.CustomField, JSON.stringify(fields)
    ]
    // A statement with a name is prepared once per connection.
    await pool.query({ name: 'record', text, values })
    response.json({ status: 'recorded', sid })
  })
  app.listen(Number(process.argv[2]), '127.0.0.1')
}
