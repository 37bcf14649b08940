# The base can be swapped for a hospital's own mirror: docker build --build-arg BASE=mirror.example/node:24-bookworm-slim .
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are Node itself, which the base image has.
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund

FROM ${BASE}
LABEL org.opencontainers.image.title="Nordic Opioid CDS" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE NOTICE ./
COPY src ./src
COPY hooks ./hooks
COPY cards ./cards
# Files belong to root and the service writes none of them: the root file system can be read-only.
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/cds-services').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--disable-warning=ExperimentalWarning", "src/server.ts"]
