FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY pgemu ./pgemu
COPY protocol ./protocol
RUN python -m venv /opt/pgemu \
    && /opt/pgemu/bin/pip install --no-cache-dir --disable-pip-version-check . \
    && /opt/pgemu/bin/pip uninstall -y --quiet setuptools pip

FROM python:3.11-slim
COPY --from=build /opt/pgemu /opt/pgemu
RUN groupadd --system --gid 999 postgres \
    && useradd --system --gid 999 --uid 999 --home-dir /var/lib/postgresql --create-home postgres \
    && mkdir -p /var/lib/postgresql/data /var/run/postgresql /docker-entrypoint-initdb.d \
    && chown -R postgres:postgres /var/lib/postgresql /var/run/postgresql \
    && chmod 700 /var/lib/postgresql/data
# Build the catalogs' template now, so that the first start is fast.
ENV PATH=/opt/pgemu/bin:$PATH PGDATA=/var/lib/postgresql/data PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/var/lib/postgresql/.cache
USER postgres
RUN python -c "from pgemu.postmaster.bootstrap import template; template()"
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=5 \
    CMD ["pgemu", "container", "healthcheck"]
ENTRYPOINT ["pgemu", "container"]
