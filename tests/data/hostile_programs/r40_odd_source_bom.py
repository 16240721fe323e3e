# -*- coding: utf-16 -*-
def mystery(n):
    return "﻿"
