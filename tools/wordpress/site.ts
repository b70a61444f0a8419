/** A real WordPress from Debian's packages: nginx, PHP and MariaDB, each with its own files in a scratch directory. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

export const NEEDED = ['/usr/share/wordpress', '/usr/sbin/mariadbd', '/usr/sbin/php-fpm8.2', '/usr/sbin/nginx']
const ADMIN = { user: 'admin', password: 'a-password-for-one-run-only' }
const READY_WITHIN_MS = 30_000

export async function login(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/wp-login.php`)
  await page.fill('#user_login', ADMIN.user)
  await page.fill('#user_pass', ADMIN.password)
  await page.click('#wp-submit')
}

export async function install(url: string): Promise<void> {
  const form = new URLSearchParams({
    weblog_title: 'A blog',
    user_name: ADMIN.user,
    admin_password: ADMIN.password,
    admin_password2: ADMIN.password,
    pw_weak: 'on',
    admin_email: 'admin@example.com',
    blog_public: '0',
  })
  const answer = await fetch(`${url}/wp-admin/install.php?step=2`, { method: 'POST', body: form })
  if (!(await answer.text()).includes('Success!')) throw new Error(`WordPress could not be installed: ${answer.status}`)
}

/** MariaDB, PHP and nginx, each with its own files in the scratch directory. */
export async function startWordPress(
  scratch: string,
  port: number,
  frontPort: number,
  started: ChildProcess[],
): Promise<void> {
  const [site, data] = [join(scratch, 'site'), join(scratch, 'data')]
  const [database, php] = [join(scratch, 'mariadb.sock'), join(scratch, 'php.sock')]
  // Debian's tree consists of links into the system. The copy contains the files themselves.
  execFileSync('cp', ['-rL', '/usr/share/wordpress', site])
  mkdirSync(join(site, 'wp-content/uploads'), { recursive: true })
  writeFileSync(join(site, 'wp-config.php'), wpConfig(database, frontPort))

  execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--user=root'], { stdio: 'ignore' })
  const start = (command: string, ...args: string[]) =>
    started.push(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  const files = [`--datadir=${data}`, `--socket=${database}`, `--pid-file=${join(scratch, 'mariadb.pid')}`]
  const quiet = ['--skip-networking', '--user=root', `--log-error=${join(scratch, 'mariadb.log')}`]
  start('/usr/sbin/mariadbd', '--no-defaults', ...files, ...quiet)
  await until('MariaDB', () => {
    const sql = 'CREATE DATABASE IF NOT EXISTS wordpress'
    execFileSync('mariadb', ['--no-defaults', `--socket=${database}`, '-e', sql], { stdio: 'ignore' })
  })

  writeFileSync(join(scratch, 'php.conf'), phpConfig(php, scratch))
  start('/usr/sbin/php-fpm8.2', '-R', '-F', '-y', join(scratch, 'php.conf'))
  writeFileSync(join(scratch, 'nginx.conf'), nginxConfig(site, port, php, scratch))
  start('/usr/sbin/nginx', '-c', join(scratch, 'nginx.conf'), '-e', join(scratch, 'nginx-error.log'))
  await until('WordPress', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/wp-admin/install.php`, { signal: AbortSignal.timeout(5_000) })
    if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  })
}

function wpConfig(socket: string, port: number): string {
  return `<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:${socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', 'http://localhost:${port}'); define('WP_SITEURL', 'http://localhost:${port}');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('DISABLE_WP_CRON', true);
if (isset($_SERVER['HTTP_X_FORWARDED_HOST'])) $_SERVER['HTTP_HOST'] = $_SERVER['HTTP_X_FORWARDED_HOST'];
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`
}

function phpConfig(socket: string, scratch: string): string {
  return `[global]
error_log = ${join(scratch, 'php.log')}
[www]
user = root
group = root
listen = ${socket}
pm = static
pm.max_children = 4
`
}

function nginxConfig(site: string, port: number, php: string, scratch: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${join(scratch, `nginx-${name}`)};`)
    .join(' ')
  return `daemon off; user root; pid ${join(scratch, 'nginx.pid')}; error_log ${join(scratch, 'nginx-error.log')};
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types; access_log off; ${temporary}
  server {
    listen 127.0.0.1:${port}; root ${site}; index index.php; client_max_body_size 64m;
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_pass unix:${php};
    }
  }
}
`
}

async function until(what: string, attempt: () => unknown): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (Date.now() > endMs) throw new Error(`${what} did not start: ${(error as Error).message}`)
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(hard)
}
