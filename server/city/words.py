"""Names to draw from: people, houses, streets, companies. Taken from nobody."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words(
    "Aisha Albin Alma Amir Anders Anna Annika Arvid Axel Beatrice Bengt Birgitta Björn Camilla "
    "Carina Cecilia Christer Dalia Daniel David Ebba Elias Elif Elin Emil Emma Erik Eva Fatima Filip "
    "Frida Gunilla Gustav Hamid Hanna Hassan Helena Henrik Ibrahim Ida Ingrid Isak Jasmin Jenny "
    "Johan Johanna Jonas Josefin Kajsa Karin Karl Katarina Kerstin Klara Lars Layla Leila Lena Leo "
    "Linda Linnea Lisa Lotta Love Lucas Magnus Malin Marcus Maria Marie Martin Mehmet Mikael Mona "
    "Nadia Nasrin Nils Nora Olle Omar Oskar Patrik Per Petra Pia Ravi Rebecka Robin Rosa Saga Samir "
    "Sandra Sara Selma Simon Sofia Stefan Stina Susanne Svea Therese Thomas Tilde Tove Tuva Ulf "
    "Ulrika Vera Viktor Viola Wilma Yasmin Yusuf Zahra Åsa Örjan"
)
LAST_NAMES = _words(
    "Abdi Ahlgren Ahmed Alm Andersson Aslan Axelsson Backlund Berg Bergman Björk Blom Boström "
    "Byström Dahl Demir Ek Ekdahl Engström Eriksson Falk Forsberg Fransson Granath Gren Gustafsson "
    "Haddad Hagman Hallberg Hassan Hedlund Hellström Holm Holmgren Isaksson Jansson Johansson Kaya "
    "Kjellberg Kowalski Larsson Lind Lindgren Lindqvist Ljung Lundin Löfgren Malm Mattsson Mohamed "
    "Månsson Nilsson Noor Norberg Nyman Olsson Osman Palm Persson Pettersson Rahimi Rosén Sahlin "
    "Sandberg Said Sjöberg Ström Strand Svensson Söderlund Tran Wallin Wiklund Yilmaz Åberg Åkesson "
    "Öberg Östlund"
)
AREAS = _words(
    "Bergsjön Biskopsberga Björkdal Brunnsbo Dalängen Ekhagen Fiskeläget Fjällbo Furulund Gamlestan "
    "Glasberga Granlunda Hagaberg Hammarby Holmsund Hästhagen Kallebäck Klippan Kungsängen Kvarnbyn "
    "Lindholm Lövåsen Majbacken Norrtull Nyhamn Orrestad Persborg Rosenlund Rydberg Sandviken Skogås "
    "Solberga Stigberget Strandängen Sörgården Tallkullen Torpa Vallda Ängsbo Östervik"
)
STREET_STARTS = _words(
    "Ankar Apel Ask Björk Bränn Båtsman Dal Ek Fiskare Fjärils Fågel Gran Hagtorns Hamn Hassel Hav "
    "Hjul Häst Kastanje Klock Klöver Kvarn Kyrk Käll Lilje Lind Ljung Lärk Lönn Mosse Mölnar "
    "Nyponros Näckros Oxel Plommon Ravin Regnbågs Ros Rågs Sjö Skepps Skogs Skol Slån Smeds Sol Sten "
    "Strand Svan Syren Tall Torg Trast Vals Vete Videt Vinter Vår Åker Äng"
)
STREET_ENDS = ("gatan", "vägen", "stigen", "gränd", "backen", "allén")
BRF_ENDS = ("gården", "berget", "liden", "höjden")
OWNER_ENDS = ("Fastigheter AB", "Bostads AB", "Förvaltning AB", "Fastighetsbolag HB")
COMPANY_STARTS = _words(
    "Omsorgen Vårdlinden Hemma Trygga Solsidan Klöverns Lyktan Nära Silverliljan Åttan Vardags "
    "Gläntans Kärnan Lärkans Medmänsklig Nordhemmets Olivens Pärlans Ringens"
)
COMPANY_ENDS = ("Omsorg AB", "Hemtjänst AB", "Hemvård HB", "Vård & Omsorg AB")
PHONE_MODELS = ("Pixel 8a", "Pixel 9", "Galaxy A55", "Galaxy XCover7", "Fairphone 5", "Nothing Phone 2a")
FALLBACK_PLACES = (
    "Trygghetsjourens nyckelskåp",
    "Nyckelskåp i hemtjänstlokalen",
    "Nyckelbox vid cykelrummet",
    "Fastighetsskötarens expedition",
)
