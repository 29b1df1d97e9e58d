#!/usr/bin/env node
const name: string = 'sotto';
process.stdout.write(`${name}: nothing here yet\n`);
