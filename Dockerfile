# Sallyport. Data, keys and sockets live in /data, the only place that is written to:
#   docker run --read-only --tmpfs /tmp -v sallyport:/data -p 8080:8080 sallyport
# The admin API listens inside the container only: docker exec NAME sallyport tenant list

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:26-slim
ENV NODE_ENV=production \
    SALLYPORT_DATA_DIR=/data \
    SALLYPORT_EDGE_LISTEN=0.0.0.0:8080
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY config config
COPY src src
RUN install -d -o node -g node -m 0700 /data && ln -s /app/src/main.ts /usr/local/bin/sallyport
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["sallyport", "check", "--health"]
ENTRYPOINT ["sallyport"]
CMD ["serve"]
