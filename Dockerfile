# Name the base by its digest, from a registry that you trust (docs/deploy.md says how to find it):
#   docker build --build-arg BASE=node:24-bookworm-slim@sha256:… .
# Without the argument it is whatever the tag means on the day of the build.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are Node itself, which the base image has, and what only the page of a sandbox needs.
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund

FROM ${BASE}
LABEL org.opencontainers.image.title="Nordic Opioid CDS" \
      org.opencontainers.image.licenses="Apache-2.0"
# Production unless told otherwise: it does not start without CLIENTS and PUBLIC_URL. The mode decides where it listens.
ENV NODE_ENV=production MODE=production PORT=3000 DATA_DIR=/data UV_THREADPOOL_SIZE=16 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE NOTICE ./
COPY src ./src
COPY hooks ./hooks
COPY cards ./cards
COPY docs/proof.json ./docs/proof.json
# Files belong to root and the service writes none of them: the root file system can be read-only. It writes its journal
# into a volume, unless DATABASE_URL names a database.
RUN mkdir /data .compiled && chown node:node /data .compiled
VOLUME /data
USER node
# Starts once, as the user who will run it, and keeps what Node makes of the code: each start is then a quarter faster.
ENV NODE_COMPILE_CACHE=/app/.compiled
RUN MODE=sandbox PORT=3999 DATA_DIR=/tmp/journal sh -c '\
      node --disable-warning=ExperimentalWarning src/server.ts & \
      until node -e "fetch(\"http://127.0.0.1:3999/health\").catch(() => process.exit(1))"; do kill -0 $! && sleep 1 || exit 1; done; \
      kill $! && wait $! && rm -r /tmp/journal'
USER root
RUN chown -R root:root .compiled && chmod -R a=rX .compiled
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
# With TLS_CERT the service speaks TLS; whose name the certificate bears does not matter from inside.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "require(process.env.TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: process.env.PORT, path: '/health', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# The heap and nursery that its limits are tried with (docs/reliability.md); a process then stays below 512 MiB.
CMD ["node", "--disable-warning=ExperimentalWarning", "--max-old-space-size=256", "--max-semi-space-size=16", "src/server.ts"]
