"""AquaDash: a browser lab for learning image classification by experiment.

Imports point one way only. A module may import from its own room and from the rooms named in *earlier* lines of this
table, never from later ones. ``tests/test_architecture.py`` reads the table from this docstring and walks the imports,
so a new room needs a line here. The last column names the heavy packages that only this room (and any other that lists
them) may import.

================  ==============================================================  =====================================
room              holds                                                           heavy imports
================  ==============================================================  =====================================
``errors``        the exception types, with messages a student understands        -
``settings``      where things are kept, read from the environment                -
``files``         files that are written whole or not at all                      -
``zips``          ZIP archives that may come from anywhere                        -
``source``        our own source, for scripts that stand alone                    -
``people``        people, their roles, and the owners of resources                -
``pages``         the pages of the app, one record each                           -
``config``        one frozen ``RunConfig``: validation, JSON, difference of two   pydantic
``presets``       named configurations                                            -
``data``          ``Dataset``, its sources, splits and statistics                 numpy, pydantic, scipy, PIL
``augment``       operators, pipelines, application, preview                      numpy, pydantic, imgaug, cv2, imagecorruptions, PIL
``evaluation``    labels and probabilities to typed results                       numpy, pydantic, sklearn, scipy
``store``         one database: runs, jobs, searches; the files of runs            numpy, pydantic, sqlalchemy, alembic, psutil
``classroom``     a class: codes, sessions, limits, leaderboard                   pydantic, psutil, icu
``models``        a model's name to a Keras model; files of networks              tensorflow, keras, numpy, h5py
``work``          slots, the worker process, the process that stands by           psutil
``training``      the training loop, its worker; forecasts; repeats compared      tensorflow, keras, numpy, psutil, mlflow, cv2
``cluster``       the same work on other machines, by Dask                        distributed, dask, psutil
``search``        searches over settings, whose trials are runs                   optuna, numpy, sqlalchemy, pydantic
``predict``       image files to probabilities                                    tensorflow, keras, numpy, PIL
``explain``       explanations of a model's answers                               tensorflow, keras, numpy
``robustness``    accuracy on changed images, and how far one may change them     numpy, pydantic, cv2, PIL
``coach``         settings, curves and results to notes in plain words           -
``walkthrough``   the report as a lesson: questions, checks, progress, findings   numpy, pydantic, scipy
``figures``       a typed result to a plotly figure                               plotly, numpy, pandas, optuna
``export``        a run to export: ZIP, script, notebook, report, other formats   numpy, plotly, PIL, pydantic, jinja2, nbformat, tensorflow, keras
``lab``           every action of a person; conditions on runs; groups of runs    -
``ui``            theme, caches, state and components of the pages                streamlit, numpy, pandas, PIL, plotly, jinja2
``cli``           the command line                                                click, rich, numpy, PIL, tensorflow
================  ==============================================================  =====================================
"""  # noqa: E501

__version__ = "0.7.0.dev0"
