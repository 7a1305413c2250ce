// What people and programs write all day, without one value in it that should be masked: listings, logs, code, mail.

const listing = Array.from(
  { length: 25 },
  (_, i) =>
    `-rw-r--r-- 1 www-data www-data ${4096 + i * 7919} Jan ${(i % 28) + 1} 10:${10 + i} access-2024010${i % 10}.log.${i}.gz`,
);
const accessLog = Array.from(
  { length: 30 },
  (_, i) =>
    `192.0.2.${i} - - [15/Jan/2024:10:20:${10 + i} +0000] "GET /api/v1/orders/${100000 + i * 37}?page=${i} HTTP/1.1" 200 ${512 + i * 101} "-" "curl/8.5.0"`,
);
const applicationLog = Array.from(
  { length: 25 },
  (_, i) =>
    `2024-01-15T10:20:${10 + i}.${123 + i}Z INFO [http-nio-8080-exec-${i}] c.e.shop.OrderService - order ${900_000 + i * 7} took ${i * 13} ms, trace=4bf92f3577b34da6a3ce929d0e0e47${10 + i}`,
);
const table = Array.from(
  { length: 25 },
  (_, i) => ` ${i + 1} | order-${1000 + i} | 2024-01-${10 + (i % 15)} | ${(i * 19.99).toFixed(2)} | shipped`,
);
const disk = Array.from(
  { length: 12 },
  (_, i) => `/dev/sda${i} ${41251136 + i * 12347} ${18203912 + i} ${20921816 - i} ${40 + i}% /mnt/disk${i}`,
);

const rest = String.raw`
$ git log --oneline -3
9b537a4 Let the checker see that nothing is asked of a missing run
6305da7 Hold full disks, vanished clients and starts that cannot work
$ git clone git@github.com:example/shop.git
$ npm ls
shop@1.4.0 /srv/shop
+-- fastify@5.1.0
+-- pg@8.13.1
'-- typescript@5.7.2
$ docker ps
CONTAINER ID   IMAGE                COMMAND                  CREATED        STATUS        PORTS                    NAMES
3f1c2b9d8e7a   postgres:17.2        "docker-entrypoint.s…"   3 hours ago    Up 3 hours    0.0.0.0:5432->5432/tcp   db-1
$ kubectl get pods -A
kube-system   coredns-5d78c9869d-7xk2l   1/1   Running   2 (14d ago)   93d
$ systemctl status
  user@1000.service  getty@tty1.service  docker.socket
$ ip -br addr
eth0  UP  10.20.30.40/24 2001:db8:85a3::8a2e:370:7334/64 fe80::42:acff:fe11:2/64
$ sha256sum shop.tar.gz
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  shop.tar.gz
$ vmstat 1
 1  0      0 812345 123456 7890123    0    0     5    12   42   99  3  1 96  0  0
 0  0      0 811222 123460 7890127    0    0     0    44  512 1024  2  1 97  0  0
$ env | sort
HOME=/home/jane
LANG=C.UTF-8
PWD=/srv/shop
OLDPWD=/srv
SHLVL=1
export DB_PASSWORD=$DB_PASSWORD

const total = items.reduce((sum, { price, count }) => sum + price * count, 0); // 12 * 3.5 = 42
if (password.length < 12) throw new Error('The password is too short');
function resetPassword(user: User, password: string): Promise<void> { return store.save({ ...user, password }); }
@media (min-width: 768px) { .price::after { content: "\20AC"; color: #1a2b3c; } }
SELECT o.id, count(*) FROM orders o JOIN lines l USING (order_id) WHERE o.placed_at >= '2024-01-01' GROUP BY 1;
{"id":"550e8400-e29b-41d4-a716-446655440000","created":1705314030123,"amount":1999,"currency":"EUR","tags":["a","b"]}
ETag: W/"5f3-18d0c6b8a40"
Content-Length: 1523
Set-Cookie: theme=dark; Path=/; SameSite=Lax
X-Request-Id: 7b0e4f8a-1c2d-4e5f-8a9b-0c1d2e3f4a5b

Dear all, the release 2.14.0 went out on Monday, 15 January 2024 at 10:20 (UTC+1). We saw 1,204 orders in the first
hour, 3.2 % more than last week; the 99th percentile stayed under 250 ms. Room 4.12, floor 3, extension 4711. Invoice
2024-000123 over 1.234,56 EUR is due on 31.01.2024. See RFC 7519, ISO 13616 and DIN 5008. ISBN 978-3-16-148410-0.
Half of what we know about masking came from reading our own logs @ work, and & so on; 100% of it.
`;

export const ordinaryText = [...listing, ...accessLog, ...applicationLog, ...table, ...disk, rest].join('\n');
